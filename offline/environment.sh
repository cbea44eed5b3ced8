# Where a machine has a driver with Vulkan and no loader, ours; where the driver's description is missing or asks for a display, one
# that does not.
found=
for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/local/lib; do
  [ -e "$folder/libvulkan.so.1" ] && found=yes
done
[ -z "$found" ] && [ -e "$here/lib/libvulkan.so.1" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && [ -e /dev/nvidiactl ]; then
  # NVIDIA's description names libGLX_nvidia, which does not start without the libraries of a display; libEGL_nvidia does.
  display=
  egl=
  for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /usr/lib /lib /usr/local/nvidia/lib64; do
    [ -e "$folder/libX11.so.6" ] && display=yes
    [ -e "$folder/libEGL_nvidia.so.0" ] && egl=yes
  done
  [ -z "$display" ] && [ -n "$egl" ] && export VK_DRIVER_FILES="$here/lib/nvidia_headless_icd.json"
fi
