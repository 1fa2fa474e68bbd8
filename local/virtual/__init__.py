"""The deployed stack in virtual time: the functions as they are, in a cloud whose clock this process moves."""
