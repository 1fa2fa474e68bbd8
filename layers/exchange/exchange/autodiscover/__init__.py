"""Finding Exchange by autodiscover (MS-OXDSCLI, MS-OXWSADISC), without giving the account to anybody else."""
