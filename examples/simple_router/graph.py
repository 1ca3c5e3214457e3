import mlrun

# load the sklearn model serving function and add models to it
fn = mlrun.import_function('hub://v2_model_server')
fn.add_model("model1", model_path="./models/logistic")
fn.add_model("model2", model_path="./models/tree")

# the models are pickles of scikit-learn, which cannot be seen from here
fn.with_requirements(["scikit-learn"])

# deploy the function to the cluster
fn.deploy()

# test the live model endpoint
fn.invoke('/v2/models/model1/infer', body={"inputs": [[5.1, 3.5, 1.4, 0.2]]})
