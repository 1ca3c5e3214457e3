"""Texts that would break YAML, Dockerfiles or the reading of either."""
import mlrun

NASTY = ["a: b", "# c", "&a *a !!python/none", "{{ 7 * 7 }}", "${HOME}", "`id`", "yes", "1e3", "line\nbreak", "\u2028", "- a", "'\"\\", ""]

fn = mlrun.new_function("hostile", kind="serving", requirements=["numpy>=1; python_version > '3' # RUN x"])
fn.set_envs({f"V{number}": text for number, text in enumerate(NASTY)})
fn.with_annotations({f"a{number}": text for number, text in enumerate(NASTY)})
fn.with_commands(['echo "# FROM scratch" && echo $(id) `id` ; true', "[ -f x ] || true", "--mount=type=secret,id=x cat"])
fn.spec.description = "one: two\n# three"
fn.spec.volumes = [{"name": "n", "configMap": {"name": "y", "items": [{"key": "null", "path": "0x1F"}]}}]
fn.spec.volume_mounts = [{"name": "n", "mountPath": "/a b: c # d"}]
fn.add_trigger("on", {"kind": "cron", "attributes": {"schedule": "*/5 * * * *", "event": {"body": "a\n- b: {c", "headers": {"x: y": "\t"}}}})
fn.set_config("spec.platform", {"attributes": {"1": [1, 2.5, True, None, [], {}], "on": {"off": "no"}}})
shared = {"cpu": "1"}
fn.spec.resources = {"limits": shared, "requests": shared}

fn.set_topology("flow").to(name="same", handler="(event)").respond()
