"""The command line, and the scripts that users start from."""
