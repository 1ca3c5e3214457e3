import mlrun

fn = mlrun.new_function("broken", kind="serving"
