"""A simulated Exchange organisation on loopback: DNS, certificates, autodiscover and Exchange Web Services.

It exists so that the whole way can be run and tested without a real mailbox. It shares no code with the layers:
whoever asks and whoever answers must not have the same mistakes.
"""
