"""Settings that change answers and are not compiled yet are errors."""
import mlrun

project = mlrun.get_or_create_project("p")
fn = mlrun.new_function("settings", kind="serving", requirements_file="nowhere.txt")
fn = mlrun.new_function("other", kind="serving", requirements=["numpy\n-e evil"])
fn = mlrun.new_function("third", kind="serving")
fn.spec.error_stream = "users/x/errors"
fn.spec.load_mode = "async"
fn.with_code(body="x = 1")
fn.set_tracking()
project.set_function("steps.py", kind="serving")
fn.set_topology("flow").to(name="a", handler="(event)").respond()
fn.spec.min_replicas, fn.spec.max_replicas = 3, 2
