#!/usr/bin/env python3
"""What happens to httpd when all of its busy children are over their limit at the same moment.

Three servers, eight children and eight clients each, without keep-alive, in paired runs: one that
recycles nobody; one in which slshim finds every child over its limit from the first hundred
connections on; and one with MaxConnectionsPerChild such that every child ends once in a run, about
as many as slshim recycles."""

from functools import partial

from pairs import arguments, one_by_one, report, rounds
from peers import httpd, measuring
from servers import shim

CHILDREN = 8


def main():
    asked = arguments(__doc__, 8)
    measure = measuring(partial(httpd, workers=CHILDREN), asked.seconds)
    rate = measure(({},)).rate
    own = int(rate * asked.seconds / CHILDREN / 2)  # each child ends once, half-way through
    variants = {
        "no recycling": ({},),
        "slshim": (shim(SL_MAX_CONNECTIONS=100),),
        f"MaxConnectionsPerChild {own}": ({}, f"MaxConnectionsPerChild {own}"),
    }
    title = f"httpd, every child over its limit at once, runs of {asked.seconds} s"
    report("cliff", title, rounds(variants, asked.pairs, one_by_one(measure)))


if __name__ == "__main__":
    main()
