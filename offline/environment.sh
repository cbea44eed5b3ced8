# Where a machine has a driver with Vulkan and no loader, ours.
found=
for folder in /usr/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/local/lib; do
  [ -e "$folder/libvulkan.so.1" ] && found=yes
done
[ -z "$found" ] && [ -e "$here/lib/libvulkan.so.1" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
