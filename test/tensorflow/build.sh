#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node for the CPU out of what the npm and PyPI registries hold, where the ordinary
# `npm install @tensorflow/tfjs-node` cannot fetch its libtensorflow (a host of its own, version 2.9.1):
#
#   npm run build:tensorflow -- FOLDER
#   export PERFLAW_TENSORFLOW=FOLDER
#
# The Python wheel `tensorflow-cpu` carries libtensorflow and its C headers; the binding's C++ sources are in the npm
# package, and Node's own C interface is the same in every version, so one build serves Node 20 to 24.
# Needs: Linux on x86-64 or arm64, Node and npm, python3 with pip, g++. About 1.5 GB of disk, 210 MB of download.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:?usage: npm run build:tensorflow -- FOLDER}
version=$(node -p "require('$project/package.json').dependencies['@tensorflow/tfjs']")
wheel_version=2.15.1
case $(uname -m) in
  x86_64) wheel=tensorflow-cpu platform=manylinux2014_x86_64 ;;
  aarch64) wheel=tensorflow-cpu-aws platform=manylinux2014_aarch64 ;;
  *) echo "no wheel of libtensorflow for $(uname -s) on $(uname -m)" >&2; exit 1 ;;
esac
for tool in npm python3 g++; do
  command -v "$tool" >/dev/null || { echo "'$tool' is missing" >&2; exit 1; }
done
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
package=$folder/node_modules/@tensorflow/tfjs-node
addon=$package/lib/napi-v8/tfjs_binding.node
stamp="$version with $wheel $wheel_version"
if [ "$(cat "$folder/built" 2>/dev/null)" = "$stamp" ] && [ -e "$addon" ]; then
  echo "$folder holds tfjs-node $stamp already"
else
  rm -f "$folder/built"
  echo "sources: @tensorflow/tfjs-node $version"
  [ -e "$folder/package.json" ] || echo '{ "private": true }' >"$folder/package.json"
  rm -rf "$folder/node_modules"
  npm install --prefix "$folder" --ignore-scripts --no-package-lock --no-audit --no-fund --silent \
    "@tensorflow/tfjs-node@$version" node-api-headers@1.5.0

  echo "libtensorflow: $wheel $wheel_version"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --platform "$platform" --dest "$folder/wheel" "$wheel==$wheel_version"
  mkdir -p "$package/deps/lib" "$package/deps/include" "$(dirname "$addon")"
  python3 - "$folder"/wheel/*.whl "$package/deps" <<'PYTHON'
import os, shutil, sys, zipfile
wheel, deps = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        header = name.partition("/include/")[2] if name.endswith(".h") else ""
        library = os.path.basename(name) if name.startswith("tensorflow/libtensorflow") else ""
        if header.startswith(("tensorflow/c/", "tensorflow/core/platform/", "tsl/")):
            target = os.path.join(deps, "include", header)
        elif ".so" in library:
            target = os.path.join(deps, "lib", library)
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out)
PYTHON
  rm -rf "$folder/wheel"

  echo 'addon'
  g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -w \
    -I"$folder/node_modules/node-api-headers/include" -I"$package/deps/include" -I"$package" \
    "$package"/binding/tfjs_backend.cc "$package"/binding/tfjs_binding.cc -o "$addon" \
    -L"$package/deps/lib" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
    -Wl,-rpath,'$ORIGIN/../../deps/lib'
  echo "$stamp" >"$folder/built"
fi
# One copy of tfjs for the program and the package: two would register every kernel twice.
rm -rf "$folder/node_modules/@tensorflow/tfjs"
ln -s "$(cd "$project/node_modules/@tensorflow/tfjs" && pwd -P)" "$folder/node_modules/@tensorflow/tfjs"
echo "built; now: export PERFLAW_TENSORFLOW=$folder"
