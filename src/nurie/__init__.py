"""Nurie (塗り絵): draw line art on a web page and see it coloured, computed in the visitor's browser."""

__version__ = "0.1.0"
