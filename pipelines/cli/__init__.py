"""The command line `ukok`: one module for each group of commands, assembled in `app`."""
