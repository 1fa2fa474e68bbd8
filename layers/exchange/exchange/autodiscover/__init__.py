"""Finding the Exchange server of a mailbox (MS-OXDSCLI), without giving the account to anybody else."""
