"""What can go wrong before the local stack runs.

LocalStackError
├── EngineError       the engine's environment is missing, or it did not start, or it died
├── PackagingError    something that a layer needs has not been installed
└── DeploymentError   the engine refused the template, or a resource of it
"""


class LocalStackError(Exception):
    """The local stack can't be used; the text says why and what to do."""


class EngineError(LocalStackError):
    """The engine could not be started or has ended; the text carries the end of its log."""


class PackagingError(LocalStackError):
    """What is deployed could not be put together."""


class DeploymentError(LocalStackError):
    """The template was refused; the text names the resources and the reasons."""
