"""Reads TwiML from standard input, one document a line, and builds each again with the official helper
library: an element that it does not have, or an attribute that it does not take, fails."""

import inspect
import re
import sys
import xml.etree.ElementTree as xml

from twilio.twiml.voice_response import VoiceResponse

# Elements of SSML, by the names that the library gives their methods.
METHODS = {"break": "break_", "say-as": "say_as"}


def snake(name):
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name).replace("-", "_").lstrip("_")


def build(parent, element):
    method = getattr(parent, METHODS.get(element.tag, snake(element.tag)))
    takes = [name for name in inspect.signature(method).parameters if name != "kwargs"]
    attributes = {}
    for name, value in element.attrib.items():
        name = snake(name)
        if name not in takes:
            raise SystemExit(f"{element.tag} takes no {name}: it takes {takes}")
        attributes[name] = value
    text = (element.text or "").strip()
    # What an element says is its first parameter, where it has one.
    if text and takes[0] in ("message", "url", "phone_number", "sip_url", "words"):
        attributes[takes[0]] = text
    built = method(**attributes)
    for child in element:
        build(built, child)


count = 0
for line in sys.stdin:
    root = xml.fromstring(line)
    if root.tag != "Response":
        raise SystemExit(f"the root is {root.tag}")
    response = VoiceResponse()
    for child in root:
        build(response, child)
    count += 1
    again = xml.fromstring(str(response))
    verbs = [[element.tag for element in root.iter()], [element.tag for element in again.iter()]]
    if verbs[0] != verbs[1]:
        raise SystemExit(f"{verbs[0]} came out as {verbs[1]}")
print(count)
