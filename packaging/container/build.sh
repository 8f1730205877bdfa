#!/bin/sh
# Builds what the Containerfile's image has: the library with glibc and with musl, and the command.
# usage: build.sh SOURCE DIRECTORY
set -eu
source=$(cd "$1" && pwd)
mkdir -p "$2" "$2/slshim/glibc" "$2/slshim/musl" "$2/usr/bin"
image=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The headers of the kernel, without those of glibc beside them: musl's compiler has none.
mkdir "$work/kernel"
ln -s /usr/include/linux /usr/include/asm-generic "$work/kernel"
ln -s "/usr/include/$(gcc -print-multiarch)/asm" "$work/kernel"

# A copy, because what autoreconf makes there fits this release's tools only.
cp -R "$source" "$work/source"
cd "$work/source"
autoreconf -fi

mkdir "$work/glibc" "$work/musl"
cd "$work/glibc"
../source/configure -q --prefix=/usr
make -s -j"$(nproc)" libslshim.la slshim
cd "$work/musl"
../source/configure -q --prefix=/usr CC=musl-gcc CPPFLAGS="-isystem $work/kernel"
make -s -j"$(nproc)" libslshim.la

for libc in glibc musl; do
	install -s -m 644 "$work/$libc/.libs/libslshim.so" "$image/slshim/$libc/libslshim.so"
done
install -s "$work/glibc/slshim" "$image/usr/bin/slshim"
install "$source/packaging/container/pick" "$image/slshim/pick"
