"""Finding and reading Exchange: gateways, autodiscover, EWS. Only functions that talk to Exchange have this layer."""
