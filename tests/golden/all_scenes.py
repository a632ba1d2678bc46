"""All scenes, in the order in which they are made: a new file of scenes is a line here."""

import scenes
import scenes_dns

SCENES: dict[str, scenes.Scene] = {**scenes.SCENES, **scenes_dns.SCENES}
