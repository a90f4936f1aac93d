//! Names that read names: the order in which they must come, and the circles.

use std::collections::BTreeSet;

use petgraph::{
    algo::{astar, tarjan_scc},
    graphmap::{DiGraphMap, NodeTrait},
    visit::DfsPostOrder,
};

/// What reads what, by name.
#[derive(Debug)]
pub(crate) struct Dag<N: NodeTrait>(DiGraphMap<N, ()>);

impl<N: NodeTrait> Dag<N> {
    /// Makes the graph of names and those that each reads.
    pub(crate) fn of<R>(reads: impl IntoIterator<Item = (N, R)>) -> Dag<N>
    where
        R: IntoIterator<Item = N>,
    {
        let mut graph = DiGraphMap::new();
        for (name, reads) in reads {
            graph.add_node(name);
            let mut below: Vec<N> = reads.into_iter().collect();
            // A walk takes up the last edge first.
            below.reverse();
            for read in below {
                graph.add_edge(name, read, ());
            }
        }
        Dag(graph)
    }

    /// Returns the names and all that they read, each once and after what it reads;
    /// otherwise in the order given.
    pub(crate) fn in_order(&self, names: impl IntoIterator<Item = N>) -> Vec<N> {
        let mut walk = DfsPostOrder::empty(&self.0);
        let mut order = Vec::new();
        for name in names {
            if !self.0.contains_node(name) {
                continue;
            }
            walk.move_to(name);
            while let Some(next) = walk.next(&self.0) {
                order.push(next);
            }
        }
        order
    }

    /// Returns a shortest way from a name back to itself, the first by name.
    pub(crate) fn circle(&self) -> Option<Vec<N>> {
        let components = tarjan_scc(&self.0).into_iter().flatten();
        let mut names: Vec<N> = components.collect();
        names.sort_unstable();
        names.into_iter().find_map(|name| self.way_back(name))
    }

    fn way_back(&self, name: N) -> Option<Vec<N>> {
        let next: BTreeSet<N> = self.0.neighbors(name).collect();
        let ways = next.into_iter().filter_map(|next| {
            let (_, way) = astar(&self.0, next, |end| end == name, |_| 1usize, |_| 0)?;
            Some(std::iter::once(name).chain(way).collect::<Vec<_>>())
        });
        ways.min_by_key(Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag() -> Dag<&'static str> {
        Dag::of([
            ("a", vec!["b", "c"]),
            ("b", vec!["d"]),
            ("c", vec!["d"]),
            ("d", vec![]),
            ("e", vec!["a"]),
        ])
    }

    #[test]
    fn each_comes_once_and_after_what_it_reads() {
        assert_eq!(dag().in_order(["a"]), ["d", "b", "c", "a"]);
        assert_eq!(dag().in_order(["c", "e"]), ["d", "c", "b", "a", "e"]);
        assert_eq!(dag().in_order(["nobody"]), Vec::<&str>::new());
        assert_eq!(dag().circle(), None);
    }

    #[test]
    fn a_circle_is_told_from_its_first_name_back_to_it() {
        let dag = Dag::of([("x", vec!["z"]), ("z", vec!["y", "x"]), ("y", vec!["x"])]);
        assert_eq!(dag.circle().unwrap(), ["x", "z", "x"]);
        let alone = Dag::of([("x", vec!["x"])]);
        assert_eq!(alone.circle().unwrap(), ["x", "x"]);
        assert_eq!(dag.in_order(["x"]).len(), 3);
    }
}
