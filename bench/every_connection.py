#!/usr/bin/env python3
"""What it costs httpd and mod_perl to measure every child after every connection: a handler that
does next to nothing, in children of a master that has preloaded 200 MB or 1 GB; one-shot
connections. In paired runs: nobody measures; slshim has a limit on unshared memory; and
Apache2::SizeLimit, as packaged, one on the size, for which it reads statm."""

from pairs import arguments, report, rounds
from peers import httpd, side_by_side
from servers import growing, shim

SIZELIMIT = """
PerlModule Apache2::SizeLimit
<Perl>
    Apache2::SizeLimit->set_max_process_size(64 * 1024 * 1024); # KB
</Perl>
PerlCleanupHandler Apache2::SizeLimit
"""
VARIANTS = {
    "nobody measures": ({}, ""),
    "slshim": (shim(SL_MAX_UNSHARED="64M"), ""),
    "Apache2::SizeLimit": ({}, SIZELIMIT),
}


def main():
    asked = arguments(__doc__, 3)
    for megabytes in (200, 1024):

        def make(environment, config, application=growing(megabytes, 0)):
            return httpd(environment, application + config, ("perl",))

        title = f"httpd and mod_perl with {megabytes} MB preloaded, {asked.seconds} s a round"
        results = rounds(VARIANTS, asked.pairs, side_by_side(make, asked.seconds, "/grow"))
        report(f"every_connection_{megabytes}", title, results)


if __name__ == "__main__":
    main()
