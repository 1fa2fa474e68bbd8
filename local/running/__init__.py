"""The system in use on one machine: the embedded engine with its state in a folder, started and stopped in order."""
