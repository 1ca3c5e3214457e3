"""What the graph API's objects have in mlrun 1.12.1: a name that is not here is a mistake.

From `dir()` of live objects; what graphc itself gives a meaning is not left out.
"""

from __future__ import annotations

STEP = frozenset(
    """
    after after_step async_object check_model_endpoint_existence class_args class_name
    clear_object comment context copy cycle_from cycle_to default_shape endpoint_type
    error_handler from_dict full_event fullname function get_children get_full_class_args
    get_shape get_step_class_object handler init_object input_path kind max_iterations
    model_endpoint_creation_strategy name next on_error parent path_to_step respond
    responder result_path run set_flow set_next set_parent shape skip_context
    supports_termination to to_dict to_json to_str to_yaml verify_model_runner_step
    """.split()
)
ROUTE = STEP
ROUTER = STEP | {"add_route", "clear_children", "plot", "routes"}
QUEUE = frozenset(
    """
    after after_step async_object check_model_endpoint_existence comment context copy
    cycle_from cycle_to default_shape error_handler from_dict fullname get_children get_shape
    init_object kind max_iterations model_endpoint_creation_strategy name next on_error options
    parent path path_to_step retention_in_hours run set_flow set_next set_parent shape shards
    supports_termination to to_dict to_json to_str to_yaml trigger_args verify_model_runner_step
    """.split()
)
FLOW = frozenset(
    """
    add_shared_model add_step after after_step allow_cyclic check_and_process_graph
    check_model_endpoint_existence clear_children comment configure_shared_pool_resource
    context controller copy create_queue_streams cycle_from cycle_to default_shape engine
    error_handler final_step from_dict from_step fullname get_children get_monitored_steps
    get_queue_links get_shape get_shared_model_by_artifact_uri include_monitored_step
    init_object insert_step is_empty kind list_child_functions max_iterations
    model_endpoint_creation_strategy model_endpoints_names model_endpoints_routes_names name
    next on_error parent path_to_step plot pool_factor run set_flow set_flow_source set_next
    set_parent shape shared_max_processes shared_max_threads shared_models
    shared_models_mechanism steps supports_termination to to_dict to_json to_str to_yaml
    track_models update_model_endpoints_names update_model_endpoints_routes_names
    verify_model_runner_step wait_for_completion
    """.split()
)
FUNCTION = frozenset(
    """
    add_child_function add_model add_rabbitmq_trigger add_trigger add_v3io_stream_trigger
    apply as_step clean_build_params copy delete_probe deploy deploy_step
    detect_preemptible_affinity detect_preemptible_node_selector
    detect_preemptible_tolerations disable_default_http_trigger doc
    enable_default_http_trigger enrich_runtime_spec export from_dict from_image
    full_image_path get_default_priority_class_name get_env get_url has_user_set_plain_env
    invoke is_child is_deployed is_env_exists is_model_monitoring_function kfp kind
    list_valid_priority_class_names mark_env_auto_mount_injected
    mask_sensitive_data_in_config metadata plot pre_deploy_validation
    prepare_image_for_deploy raise_preemptible_warning remove_auth_secret_volumes
    remove_states requires_build run save serving_spec set_api_handler_config set_categories
    set_config set_db_connection set_env set_env_from_secret set_env_from_secret_ref
    set_envs set_image_pull_configuration set_label set_openai_frontend set_probe
    set_state_thresholds set_streaming set_topology set_tracking setup_model_monitoring
    skip_image_enrichment spec status store_run to_dict to_job to_json to_mock_server to_str
    to_yaml try_auto_mount_based_on_config uri validate validate_and_enrich_service_account
    verbose wait_for_deployment with_annotations with_code with_commands with_http
    with_limits with_node_selection with_preemption_mode with_priority_class with_requests
    with_requirements with_secrets with_security_context with_service_type with_sidecar
    with_source_archive with_v3io
    """.split()
)
