"""One turn of one of IntelMQ's bots, by the library that IntelMQ offers for that; its own Python runs it.

What to run comes as JSON, and what the bot sent on goes out as JSON; what it tells meanwhile is a log.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

from intelmq.lib.bot import BotLibSettings

# IntelMQ writes its log where the answer goes.
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

wanted = json.load(sys.stdin)
bot = importlib.import_module(wanted["module"]).BOT("bot", settings=BotLibSettings | wanted["parameters"])
if wanted["messages"] is None:
    bot.process()
sent = bot.process_message(*wanted["messages"] or [])["output"]
json.dump([one if isinstance(one, str) else one.serialize() for one in sent], out)
