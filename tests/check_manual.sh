#!/bin/sh
# The manual of the command has each subcommand, each of its options, and no others.
# Given by make: $COMMAND, the command; $SOURCE, the folder src/.
set -eu

page=$SOURCE/../man/slshim.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# From "usage: slshim check [-f FILE] ..." the subcommand, and after it "-f"; of slshim run each line
# that begins with an option. Those that all subcommands have are not asked for in each.
"$COMMAND" --help | sed -n 's/^.* slshim \([a-z][a-z]*\) .*/\1/p' >"$work/subcommands"
while read -r subcommand; do
	"$COMMAND" "$subcommand" --help </dev/null |
		sed 's/^usage: //; s/[[|]/ /g; s/\]/ /g' | tr ' ' '\n' |
		sed -n 's/^\(--*[a-z][-a-z]*\).*/\1/p' | sort -u | sed "s/^/$subcommand /"
done <"$work/subcommands" | grep -v ' --help$' >"$work/has"

# Sections of the manual begin with ".Ss slshim check", options are ".It Fl f Ar file" or
# ".It Fl -json".
awk '
	/^\.Ss slshim / { subcommand = $3; print subcommand > sections; next }
	/^\.S[hs] / { subcommand = ""; next }
	subcommand != "" && /^\.It Fl / {
		for (i = 2; i <= NF; i++)
			if ($i == "Fl") print subcommand, "-" $(i + 1)
	}' sections="$work/sections" "$page" >"$work/described"

for file in has described subcommands sections; do sort -u -o "$work/$file" "$work/$file"; done
grep -v '^completion$' "$work/subcommands" >"$work/expected" || true
missing=$(comm -23 "$work/expected" "$work/sections")
[ -z "$missing" ] || echo "slshim(1) has no section \"slshim ...\" for:" "$missing"
lacking=$(comm -23 "$work/has" "$work/described")
[ -z "$lacking" ] || printf 'slshim(1) lacks:\n%s\n' "$lacking"
excess=$(comm -13 "$work/has" "$work/described")
[ -z "$excess" ] || printf 'slshim(1) has, and the command does not:\n%s\n' "$excess"
[ "$(wc -l <"$work/has")" -ge 30 ] || { echo "only few options seen"; exit 1; }
[ -z "$missing$lacking$excess" ]
