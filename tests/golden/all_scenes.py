"""All scenes, in the order in which they are made: a new file of scenes is a line here."""

import scenes
import scenes_dns
import scenes_hosts
import scenes_http
import scenes_names
import scenes_quic
import scenes_tls

FILES = (scenes, scenes_dns, scenes_hosts, scenes_http, scenes_names, scenes_quic, scenes_tls)
SCENES: dict[str, scenes.Scene] = {name: scene for file in FILES for name, scene in file.SCENES.items()}
