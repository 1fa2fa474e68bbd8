"""Silences the loggers of libraries that print what nobody may read.

A level of DEBUG, which an operator may choose, Lambda gives to the root logger, and so to every library: botocore would
print secrets, messages and records, urllib3 the URLs that servers redirect to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

OF_AWS: Final = ("aws_lambda_powertools", "bcdocs", "boto3", "botocore", "s3transfer", "urllib3")
"""The libraries that every function stands on."""


def silence(names: Iterable[str]) -> None:
    """Silence loggers and all below them, those that are made later too: nothing they say reaches any handler.

    Not a logger below one of these to which somebody gives a level of its own afterwards: that was asked for.
    """
    known = list(logging.root.manager.loggerDict)
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        _set_level(logger, logging.CRITICAL + 1)
        for below in known:
            if below.startswith(f"{name}."):
                _set_level(logging.getLogger(below), logging.NOTSET)
                logging.getLogger(below).propagate = True
                logging.getLogger(below).handlers = []


def _set_level(logger: logging.Logger, level: int) -> None:
    """Set a level where it is another: each time one is set, all loggers forget what they may say."""
    if logger.level != level:
        logger.setLevel(level)
