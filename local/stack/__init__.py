"""The whole stack on one machine: the real template.yaml, deployed into an embedded AWS engine."""
