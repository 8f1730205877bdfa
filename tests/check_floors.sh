#!/bin/sh
# The folders of src/ are the floors of a house: a file includes nothing, and calls nothing, that is
# above it or in a sister room; and what the library calls for itself never passes its own hooks.
# Given by make: $SOURCE, the folder src/; $CORE, the archive of all but the hooks; $SLSHIM, the library.
set -eu

# Each room, what it stands on, and the floor of what lies in src/ itself.
floors='
os
log       os
figures   os log
limits    os log figures
pool      os log figures
leave     os log figures
core      os log figures limits pool leave
hooks     os log figures limits pool leave core
cmd       os log figures limits pool leave
'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$floors" >"$work/floors"

# src/core/worker.h -> core; src/config.h and the probes are the floor of figures, src/slshim.c is
# one of the hooks.
cat >"$work/room.awk" <<'SCRIPT'
function room(path) {
	sub(/^\.\//, "", path)
	if (path ~ /\//) { sub(/\/.*/, "", path); return path }
	return path ~ /^slshim\.c$/ ? "hooks" : "figures"
}
function may(from, to) { return from == to || (from, to) in stands }
FILENAME == floors { if (NF > 0) { rooms[$1]; for (i = 2; i <= NF; i++) stands[$1, $i] }; next }
SCRIPT

(cd "$SOURCE" && grep -rn '^#include "' --include='*.[ch]' .) |
	sed -n 's/^\([^:]*\):[0-9]*:#include "\(.*\)"$/\1 \2/p' |
	grep -v -e ' version\.h$' -e ' slshim\.h$' >"$work/includes"
# The path of each source of the archive, by the name that its object has there.
(cd "$SOURCE" && find . -name '*.c' ! -path './hooks/*' ! -path './cmd/*') |
	sed 's/^\.\/\(.*\)/\1 \1/; s/ .*\// /' >"$work/sources"
# What each object defines, and what it needs.
nm -A "$CORE" | sed 's/^[^:]*:\(lt[0-9]*-\)*libcore_la-//; s/\.o:/.c /' >"$work/symbols"
nm -D --defined-only "$SLSHIM" | awk '{ print $3 }' >"$work/hooks"

awk -v floors="$work/floors" -f "$work/room.awk" -f - "$work/floors" "$work/includes" "$work/sources" \
	"$work/hooks" "$work/symbols" "$work/symbols" <<'SCRIPT'
FILENAME ~ /includes$/ {
	count++
	if (!(room($1) in rooms)) bad[$1 " is in a room that has no floor"]
	if (!may(room($1), room($2))) bad[$1 " includes " $2]
	next
}
FILENAME ~ /sources$/ { path[$2] = $1; next }
FILENAME ~ /hooks$/ { hook[$1]; next }
$(NF - 1) != "U" { defined[$NF] = path[$1]; next }
$NF in hook { bad[path[$1] " calls our own " $NF] }
defined[$NF] != "" {
	calls++
	if (!may(room(path[$1]), room(defined[$NF]))) bad[path[$1] " needs " $NF " of " defined[$NF]]
}
END {
	for (line in bad) { print line; failed = 1 }
	if (count < 100 || calls < 100) { print "only " count " includes and " calls " symbols seen"; failed = 1 }
	exit failed
}
SCRIPT
