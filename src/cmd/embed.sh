#!/bin/sh
# Writes the C source of files as strings that end with a NUL: embed.sh NAME FILE [NAME FILE ...]
set -eu
echo '/* Made by embed.sh. */'
echo '#include "cmd/embedded.h"'
while [ $# -gt 0 ]; do
	echo
	echo "const unsigned char embedded_$1[] = {"
	od -An -v -tu1 "$2" | sed 's/\([0-9][0-9]*\)/\1,/g'
	echo '0};'
	shift 2
done
