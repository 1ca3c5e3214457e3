"""Which ways a flow has: what follows what, where ways part, meet and come back from a catcher."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ir
from .facts import FunctionFacts
from .mlrun_classes import MERGE
from .storey import ASSERT
from .validate import reached, starts, successors

#: Precedes the steps that a stream leads to, besides others.
_STREAM = ""


def expected_parts(merge: ir.Task) -> int:
    """How many parts with one key a Merge waits for: as it is told, or one of each way to it."""
    return dict(merge.args).get("expected_num_events") or len(merge.after)


class Topology:
    """The shape of a validated flow.

    `heads` are the steps that begin a method of their own, in the graph's order; `gather_at` says
    where branches part that meet again in a Merge; `rejoins` maps a step with a catcher to the step
    in which its own way and the catcher's meet.
    """

    def __init__(
        self,
        flow: ir.Flow,
        facts: FunctionFacts,
        reads: Sequence[ir.Reads] = (),
        near_event: bool = False,
    ) -> None:
        #: Is the event wanted beside every step, for records of failures or to have the body?
        self._near_event = near_event
        self._flow = flow
        self._facts = facts
        self._steps = {step.name: step for step in flow.steps}
        self.following = successors(flow)
        self.starts = starts(flow)
        #: The streams whose events go elsewhere than requests do, and where.
        self.sources = [read for read in reads if [*read.steps] != self.starts]
        #: The steps that get an event first.
        self.entries = [
            *dict.fromkeys([*self.starts, *(name for read in self.sources for name in read.steps)])
        ]
        self._preceding: dict[str, list[str]] = {name: [] for name in self._steps}
        for name, following in self.following.items():
            for other in following:
                self._preceding[other].append(name)
        for read in self.sources:
            for name in read.steps:
                self._preceding[name].append(_STREAM)
        self.responder = self._responder()
        self.catcher = {step.name: self._catcher_of(step) for step in flow.steps}
        self._users = self._catcher_users()
        #: What gets the event behind each step, catchers included.
        self._onward = {
            name: [*following, *([catcher] if (catcher := self.catcher[name]) else [])]
            for name, following in self.following.items()
        }
        self.rejoins = self._find_rejoins()
        self.gather_at: dict[str, str] = {}
        self._in_branches = self._find_in_branches()
        while found := self._find_gathers():  # what stands behind one is not in its branches
            self.gather_at |= found
            self._in_branches = self._find_in_branches()
        self.gathered = frozenset(self.gather_at.values())
        self.heads = self._find_heads()
        self.gather_heads = {
            head: merge
            for name, merge in self.gather_at.items()
            for head in self.following[name]
            if head in self.heads
        }
        self._event_seen = self._reaching(self._gets_event)
        self._event_changed = self._reaching(self._changes_event)
        self._event_below = self._reaching(self._uses_event)
        self._tasks = self._find_tasks()
        self._await_below = self._reaching(self._is_async)
        self._wait_below = self._reaching(lambda name: facts.steps[name].waits)
        self.method_event = self._method_signatures()
        self.answering = self._answering()

    def sees_event(self, name: str) -> bool:
        """Does the step, or one behind it, get the event?"""
        return name in self._event_seen

    def changes_event(self, head: str) -> bool:
        """Is there anything from here on that may change the event itself?"""
        return head in self._event_changed

    def waits(self, head: str) -> bool:
        """Is there a step from here on that has several events under way?"""
        return head in self._wait_below

    def alone_with_ends(self, router: str) -> bool:
        """Does nobody notice that this router ends the events that it answers itself?

        MLRun marks them, and empties an ensemble's path: event steps behind see that, and routers
        let such events pass (serving.md 5.1).
        """
        if any(self.sees_event(name) for name in self.following[router]):
            return False
        ending = [n for n, f in self._facts.steps.items() if f.protocol or f.terminates]
        return not any(router in self._behind(name) for name in ending)

    def loop(self, name: str) -> ir.Queue | None:
        """The queue that takes each item of a step, if that is all that becomes of them."""
        following = self.following[name]
        facts = self._facts.steps[name]
        if facts.result != "items" or facts.selects is not None or facts.takes == "event":
            return None
        if len(following) != 1:
            return None
        step = self._steps[following[0]]
        if isinstance(step, ir.Queue) and self._preceding[step.name] == [name]:
            return step if step.path is not None and self.catcher[step.name] is None else None
        return None

    def awaits(self, heads: Sequence[str], until: str | None = None) -> bool:
        """Is anything from here on a coroutine (up to `until`, where that is given)?"""
        if until is None:
            return any(head in self._await_below for head in heads)
        return any(self._is_async(name) for head in heads for name in self.chain_to(head, until))

    def parts_in_tasks(self, name: str | None) -> bool:
        """Does a step part the ways inside of branches that are tasks?"""
        return name in self._tasks

    def part_again(self, name: str | None, heads: Sequence[str]) -> bool:
        """Do ways part around the step that leads to these, or inside of the branches?"""
        inside = reached(self._onward, heads)
        return name in self._in_branches or any(len(self.following[step]) > 1 for step in inside)

    def chain_to(self, head: str, end: str) -> list[str]:
        """The steps from `head` to the one before `end`, a chain."""
        chain = []
        while head != end:
            chain.append(head)
            head = self.following[head][0]
        return chain

    def _responder(self) -> str | None:
        """The step that answers; one that others follow does not (serving.md Q6)."""
        for step in self._flow.steps:
            if step.responder and not self.following[step.name]:
                return step.name
        return None

    def _catcher_of(self, step: ir.Step) -> str | None:
        """The step that takes a step's failures.

        The graph's own does not take those of catchers (serving.md 7.3), nor of the steps behind
        itself, where MLRun 1.12 goes in circles. The sync engine has one `try` for it.
        """
        if isinstance(step, ir.Task) and ir.library(step) == ASSERT:
            return None  # nothing is done, so nothing fails
        if step.on_error is not None:
            return step.on_error
        if self._flow.engine == "sync" or (isinstance(step, ir.Task) and step.catcher):
            return None
        catcher = self._flow.on_error
        if catcher is None or step.name in self._reached(catcher):
            return None
        return catcher

    def _catcher_users(self) -> dict[str, list[str]]:
        """The steps whose failures each catcher takes."""
        users: dict[str, list[str]] = {}
        for name, catcher in self.catcher.items():
            if catcher is not None:
                users.setdefault(catcher, []).append(name)
        if self._flow.engine == "sync" and self._flow.on_error is not None:
            users.setdefault(self._flow.on_error, []).extend(
                name for name in self._steps if name != self._flow.on_error
            )
        return users

    def _answering(self) -> frozenset[str]:
        """Where the ways behind catchers end: their results answer (serving.md 7.3, Q7)."""
        normal = {name for start in self.entries for name in (start, *self._reached(start))}
        caught = {
            name for catcher in self._users for name in (catcher, *self._reached(catcher))
        } - normal
        return frozenset(name for name in caught if not self.following[name])

    def _find_rejoins(self) -> dict[str, str]:
        """Steps whose one successor is also where their catcher's chain ends."""
        found = {}
        for step in self._flow.steps:
            if step.on_error is None or self._users.get(step.on_error) != [step.name]:
                continue
            following = self.following[step.name]
            if len(following) != 1 or self.forks(step.name):
                continue
            meeting, last, name = following[0], "", step.on_error
            while (
                name != meeting
                and len(self.following[name]) == 1
                and not self.forks(name)
                and (name == step.on_error or len(self._preceding[name]) == 1)
            ):
                last, name = name, self.following[name][0]
            if name == meeting and sorted(self._preceding[meeting]) == sorted([step.name, last]):
                found[step.name] = meeting
        return found

    def _find_gathers(self) -> dict[str, str]:
        """Steps behind which chains of plain body steps part that all meet in one Merge."""
        found = {}
        for name, heads in self.following.items():
            inside = name in self._in_branches or name in self.gather_at
            if len(heads) < 2 or self.forks(name) or self._near_event or inside:
                continue
            ends = [self._plain_chain_end(head) for head in heads]
            merge = ends[0][1]
            if merge is None or any(end[1] != merge for end in ends):
                continue
            step = self._steps[merge]
            assert isinstance(step, ir.Task)
            expected = dict(step.args).get("expected_num_events")
            if (
                [end[0] for end in ends]
                and sorted(step.after) == sorted(end[0] for end in ends)
                and expected in (None, len(heads))
                and not {"key_path", "_key_path"} & set(dict(step.args))
            ):
                found[name] = merge
        return found

    def _plain_chain_end(self, name: str) -> tuple[str, str | None]:
        """`(last step, the Merge behind it)` of a chain without events, catchers and forks."""
        last = ""
        while True:
            step = self._steps[name]
            if self._facts.steps[name].merges:
                return last, name if last and ir.library(step) == MERGE else None
            if (
                len(self._preceding[name]) != 1
                or len(self.following[name]) != 1
                or self._facts.steps[name].takes == "event"
                or self.forks(name)
                or step.on_error is not None
                or self._flow.on_error is not None
            ):
                return last, None
            last, name = name, self.following[name][0]

    def _find_heads(self) -> tuple[str, ...]:
        heads = set(self.starts if len(self.starts) > 1 else [])
        heads.update(name for read in self.sources for name in read.steps)
        rejoined = set(self.rejoins.values())
        for name, step in self._steps.items():
            following = self.following[name]
            if len(following) > 1:
                merge = self.gather_at.get(name)
                heads.update(
                    head for head in following if merge is None or not self._runs_alone(head, merge)
                )
            elif self.forks(name) and self.loop(name) is None:
                heads.update(following)
            if len(self._preceding[name]) > 1 and name not in rejoined | self.gathered:
                heads.add(name)
            # A catcher of several steps is written out for each; what follows it, once.
            if isinstance(step, ir.Task) and len(self._users.get(name, ())) > 1:
                heads.update(following)
        return tuple(name for name in self._steps if name in heads)

    def forks(self, name: str) -> bool:
        """Is it open which steps get how many events from this one?"""
        return self._facts.steps[name].forks

    def _runs_alone(self, head: str, merge: str) -> bool:
        """Is the branch one call that can be handed over as it is?"""
        step = self._steps[head]
        facts = self._facts.steps[head]
        return (
            self.following[head] == [merge]
            and isinstance(step, ir.Task)
            and not (isinstance(step.cls, ir.Dotted) and step.cls.name.startswith("storey."))
            and not isinstance(step.function, ir.Inline)
            and not facts.context
            and not facts.drops
            and not step.input_path
            and not step.result_path
        )

    def _gets_event(self, name: str) -> bool:
        return self._facts.steps[name].takes == "event" or self.joins(name)

    def joins(self, name: str) -> bool:
        """Is it a Merge that waits for parts, other than where branches are gathered?"""
        step, facts = self._steps[name], self._facts.steps[name]
        if not facts.merges or name in self.gathered:
            return False
        assert isinstance(step, ir.Task)
        # How many parts a class of the user's waits for, only its constructor knows.
        return facts.make is not None or expected_parts(step) > 1

    def _changes_event(self, name: str) -> bool:
        """Does it get the event, or put its failure on it for a catcher that does?"""
        catcher = self.catcher[name]
        return self._gets_event(name) or (catcher is not None and self.sees_event(catcher))

    def _uses_event(self, name: str) -> bool:
        """Does it change the event, or read its key or id as queues do?"""
        step = self._steps[name]
        if isinstance(step, ir.Queue) and step.path is not None and self._flow.engine == "async":
            return True
        return self._changes_event(name)

    def _find_in_branches(self) -> set[str]:
        """The steps behind those where ways part, and do not meet again in a gather."""
        gathers = [self.following[name] for name in self.gather_at]
        apart = [heads for heads in self._parting() if heads not in gathers]
        return reached(self._onward, {head for heads in apart for head in heads})

    def _parting(self) -> list[list[str]]:
        """The steps among which ways part, the first ones of requests and of streams included."""
        sources = [self.starts, *([*read.steps] for read in self.sources)]
        return [heads for heads in (*sources, *self.following.values()) if len(heads) > 1]

    def _find_tasks(self) -> set[str]:
        """The steps that part ways inside of branches some of which await.

        They are awaited as well, for the order of all branches to be that of storey's tasks. So are
        items, each of which waits for its branches, inside of branches.
        """
        parting = {name for name, following in self.following.items() if len(following) > 1}
        inner = parting & self._in_branches
        looping = {
            name
            for name in self._in_branches
            if self._facts.steps[name].result == "items" and (self._behind(name) | {name}) & parting
        }
        awaits = self._reaching(lambda name: self._facts.steps[name].is_async or name in looping)
        awaited = {head for heads in self._parting() if awaits & set(heads) for head in heads}
        return looping | (inner & reached(self._onward, awaited))

    def _is_async(self, name: str) -> bool:
        return self._facts.steps[name].is_async or name in self._tasks

    def _reaching(self, has: object) -> frozenset[str]:
        """The steps from which a step that `has` it is reached, catchers' ways included."""
        assert callable(has)
        backwards: dict[str, list[str]] = {name: [] for name in self._steps}
        for name, following in self.following.items():
            for other in following:
                backwards[other].append(name)
        for catcher, users in self._users.items():
            backwards[catcher] += users
        return frozenset(reached(backwards, filter(has, self._steps)))

    def _method_signatures(self) -> dict[str, bool]:
        """Does each head's method take the event? All branches of one fork are called alike."""
        if self._near_event:
            return dict.fromkeys(self.heads, True)
        #: Up to a Merge that gathers nothing needs it.
        open_heads = [head for head in self.heads if head not in self.gather_heads]
        signatures = dict.fromkeys(self.heads, False)
        signatures |= {head: head in self._event_below for head in open_heads}
        forks = [
            heads
            for name, heads in self.following.items()
            if name not in self.gather_at and (len(heads) > 1 or (heads and self._chooses(name)))
        ]
        forks += [
            heads
            for heads in (self.starts, *(list(read.steps) for read in self.sources))
            if len(heads) > 1
        ]
        changed = True
        while changed:
            changed = False
            for fork in forks:
                if len({signatures[head] for head in fork}) > 1:
                    for head in fork:
                        signatures[head] = True
                    changed = True
            needing = {head for head in self.heads if signatures[head]}
            for head in open_heads:
                if not signatures[head] and needing & self._behind(head):
                    signatures[head] = changed = True
        return signatures

    def _chooses(self, name: str) -> bool:
        facts = self._facts.steps[name]
        return facts.selects is not None or facts.result == "outlets"

    def _behind(self, name: str) -> set[str]:
        """The steps behind one, catchers' ways included."""
        return reached(self._onward, self._onward[name])

    def _reached(self, head: str) -> set[str]:
        """The steps behind one."""
        return reached(self.following, self.following[head])
