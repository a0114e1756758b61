"""All containers and systems, in the order in which they are tried."""

from nurie.importers.frame import Container, System

CONTAINERS: tuple[Container, ...] = ()
SYSTEMS: tuple[System, ...] = ()
