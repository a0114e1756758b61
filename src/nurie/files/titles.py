"""A page's title where the maker gave none: the name of a folder, if it says something."""

import re
from pathlib import Path

# Names of what commands write, and of places where anything may lie.
SAYS_NOTHING = re.compile(
    r"(runs?|models?|checkpoint|best|last|pairs|sites?|work|train(ing)?|val|tests?|in|out|inputs?|outputs?|results?"
    r"|data(sets?)?|photos?|pictures?|images?|drawings?|te?mp|root|home|projects?|code|desktop|documents|downloads|www|public"
    r"|[-_. \d])*",
    re.IGNORECASE,
)


def title_from(*places: Path) -> str:
    """The first name of these folders, or of the folders that they lie in, that says something; else "Nurie".

    No user's name: the home folder's is none.
    """
    resolved = [place.resolve() for place in places]
    for place in [*resolved, *(place.parent for place in resolved)]:
        if place != Path.home().resolve() and not SAYS_NOTHING.fullmatch(place.name):
            return readable(place.name)
    return "Nurie"


def readable(name: str) -> str:
    """The name of a file or folder, which need not be text in UTF-8, as text that is."""
    return name.encode("utf-8", "replace").decode()
