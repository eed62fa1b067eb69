"""Two database servers, one of them killed while reports come in: is every acknowledged report there, and how soon
does the next one succeed? `python -m mendline.sim.failover` as root, on a machine with Debian's patroni and etcd.
"""
