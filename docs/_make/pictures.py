def missing(f): return []
def make(a,b): pass
