"""A job is no serving function."""
import mlrun

job = mlrun.new_function("job", kind="job")
job.run()
