"""Finding the Exchange servers of mailboxes, in POX (MS-OXDSCLI) and SOAP (MS-OXWSADISC), without giving the account
to anybody else."""
