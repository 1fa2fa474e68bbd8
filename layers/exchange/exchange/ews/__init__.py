"""Exchange Web Services: the request is exchangelib's, the way there and the reading of the answer are ours."""
