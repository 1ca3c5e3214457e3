import mlrun

# create a serving function from source code
fn = mlrun.code_to_function('nlp-pipeline', filename='./nlp1.py', kind='serving', image='mlrun/mlrun')

queue_stream = 'kafka://kafka:9092/paragraphs'
result_stream = 'kafka://kafka:9092/entities'

graph = fn.set_topology("flow", engine="async", exist_ok=True)

# define the graph, indicate that some steps run on the "enrich" function
# use a queue (stream) between the 1st and the 2nd function, and write the results to a stream
graph.to('URLDownloader')\
     .to('ToParagraphs')\
     .to('$queue', 'to_enrich', path=queue_stream)\
     .to("ApplyNLP", function='enrich')\
     .to('ExtractEntities', function='enrich')\
     .to('EnrichEntities', function='enrich')\
     .to('storey.Flatten', 'flatten', function='enrich')\
     .to('$queue', 'to_result', path=result_stream)

# specify the "enrich" child function, built from a notebook file
child = fn.add_child_function('enrich', './entity_extraction.ipynb', 'mlrun/mlrun')

# what fails there goes to a stream of its own, for somebody to look at
child.spec.error_stream = 'kafka://kafka:9092/failed'

# plot the graph
graph.plot(rankdir='LR')

# deploy (will deploy both parent and child functions)
fn.deploy()
