"""Groups of tied stores: what is left to do when a peer knows the ties, which are few."""


def of(stores, counts, ties):
    """Returns a row a group: its company, and its stores, the anchor first.

    stores: (id, company); counts: prices by store id; ties: (store, store).
    """
    parent = {store: store for store, _ in stores}

    def root(store):
        while parent[store] != store:
            parent[store] = parent[parent[store]]
            store = parent[store]
        return store

    for a, b in ties:
        a, b = root(a), root(b)
        parent[max(a, b)] = min(a, b)
    members = {}
    for store, company in sorted(stores):
        members.setdefault(root(store), (company, []))[1].append(store)
    rows = []
    for company, group in members.values():
        anchor = min(group, key=lambda store: (-counts.get(store, 0), store))
        group.sort(key=lambda store: (store != anchor, store))
        rows.append({"company": company, "stores": group})
    rows.sort(key=lambda row: (row["company"].encode(), row["stores"][0]))
    return rows
