# Where a machine has a driver with Vulkan and no loader, ours; where the driver's description lies elsewhere, its place.
found=
for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/local/lib; do
  [ -e "$folder/libvulkan.so.1" ] && found=yes
done
[ -z "$found" ] && [ -e "$here/lib/libvulkan.so.1" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  listed=
  for file in /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json /usr/local/share/vulkan/icd.d/*.json; do
    [ -e "$file" ] && listed=yes
  done
  other=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  [ -z "$listed" ] && [ -e "$other" ] && export VK_DRIVER_FILES=$other
fi
