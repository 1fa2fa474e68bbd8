"""The way to servers that may be hostile: names, addresses, sockets, HTTP and XML, each bounded."""
