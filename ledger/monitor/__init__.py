"""Watching logs from outside: what they show now, against what they have shown before, here and elsewhere.

`watch` makes a round over sources and gives alarms (`alarm`): pure but for its readers. `state` is what is remembered
from round to round: each log's newest checkpoint, how far the registry was read, which alarms were told. `running`
repeats rounds, tells each alarm once, and hands it to a webhook, which keeps nobody waiting (`webhook`).
"""
