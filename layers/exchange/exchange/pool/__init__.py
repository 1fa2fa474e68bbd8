"""The hosts of a gateway as one pool: where each mailbox is asked for, and which hosts are left out."""
