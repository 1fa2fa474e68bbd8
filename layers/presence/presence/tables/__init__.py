"""The four tables: one module each, the only places that know how their items look."""
