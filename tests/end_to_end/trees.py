"""Makes the trees of Debian for those tests that run side by side, because these have no network. Called
by ./run test; an error here is one of the tests that lack a tree."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).with_name("packaging")))

import factory
import units
from debian import tree

for packages in (factory.of_clean(), factory.of_site(), factory.of_factory(), units.PACKAGES):
    tree(factory.RELEASE, *packages)
