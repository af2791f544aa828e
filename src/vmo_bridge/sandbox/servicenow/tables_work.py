"""Columns of the tables work happens in: tasks, service levels, metrics, surveys."""

WORK = """
task | Task
number string(40) Number!
short_description string(160) Short description
description string(4000) Description
state integer State
priority integer Priority
impact integer Impact
urgency integer Urgency
active boolean Active
approval string(40) Approval
opened_at glide_date_time Opened
opened_by reference(sys_user) Opened by
closed_at glide_date_time Closed
closed_by reference(sys_user) Closed by
assigned_to reference(sys_user) Assigned to
assignment_group reference(sys_user_group) Assignment group
cmdb_ci reference(cmdb_ci) Configuration item
business_service reference(cmdb_ci_service) Service
service_offering reference(service_offering) Service offering
company reference(core_company) Company
location reference(cmn_location) Location
contact_type string(40) Contact type
correlation_id string(100) Correlation ID
correlation_display string(100) Correlation display
due_date glide_date_time Due date
sla_due due_date SLA due
made_sla boolean Made SLA
escalation integer Escalation
reassignment_count integer Reassignment count
business_duration glide_duration Business duration
calendar_duration glide_duration Duration
time_worked timer Time worked
work_start glide_date_time Actual start
work_end glide_date_time Actual end
expected_start glide_date_time Expected start
activity_due due_date Activity due
follow_up glide_date_time Follow up
knowledge boolean Knowledge
parent reference(task) Parent
watch_list glide_list(sys_user) Watch list
work_notes_list glide_list(sys_user) Work notes list
additional_assignee_list glide_list(sys_user) Additional assignee list
close_notes string(4000) Close notes
comments journal_input Additional comments
work_notes journal_input Work notes
upon_approval string(40) Upon approval
upon_reject string(40) Upon reject
sys_class_name sys_class_name Task type
task_effective_number string(40) Effective number
universal_request reference(task) Universal Request
sys_domain domain_id Domain
sys_domain_path domain_path Domain Path
sys_tags string(40) Tags

incident < task | Incident
caller_id reference(sys_user) Caller
category string(40) Category
subcategory string(40) Subcategory
incident_state integer Incident state
close_code string(40) Resolution code
resolved_at glide_date_time Resolved
resolved_by reference(sys_user) Resolved by
reopen_count integer Reopen count
reopened_by reference(sys_user) Last reopened by
reopened_time glide_date_time Last reopened at
severity integer Severity
hold_reason integer On hold reason
notify integer Notify
problem_id reference(problem) Problem
rfc reference(change_request) Change Request
caused_by reference(change_request) Caused by Change
parent_incident reference(incident) Parent Incident
child_incidents integer Child Incidents
origin_id string(32) Origin
business_impact string(4000) Business impact
cause string(4000) Probable cause
business_stc integer Business resolve time
calendar_stc integer Resolve time

problem < task | Problem
problem_state integer Problem state
known_error boolean Known error
major_problem boolean Major problem
first_reported_by_task reference(task) First reported by
duplicate_of reference(problem) Duplicate of
confirmed_at glide_date_time Confirmed
confirmed_by reference(sys_user) Confirmed by
fix_at glide_date_time Fix
fix_by reference(sys_user) Fix by
fix_notes string(4000) Fix notes
cause_notes string(4000) Cause notes
workaround string(4000) Workaround
workaround_applied boolean Workaround applied
resolution_code string(40) Resolution code
resolved_at glide_date_time Resolved
resolved_by reference(sys_user) Resolved by
reopen_count integer Reopen count
reopened_at glide_date_time Reopened
reopened_by reference(sys_user) Reopened by
related_incidents integer Related Incidents
rfc reference(change_request) Change request
category string(40) Category
subcategory string(40) Subcategory
review_outcome string(40) Review outcome

change_request < task | Change Request
type string(40) Type
risk integer Risk
phase string(40) Phase
phase_state string(40) Phase state
start_date glide_date_time Planned start date
end_date glide_date_time Planned end date
requested_by reference(sys_user) Requested by
requested_by_date glide_date_time Requested by date
reason string(4000) Reason
category string(40) Category
close_code string(40) Close code
cab_required boolean CAB required
conflict_status string(40) Conflict status
unauthorized boolean Unauthorized
on_hold boolean On hold
on_hold_reason string(4000) On hold reason
backout_plan string(4000) Backout plan
test_plan string(4000) Test plan
implementation_plan string(4000) Implementation plan
justification string(4000) Justification
outside_maintenance_schedule boolean Outside maintenance schedule
production_system boolean Production System
review_status integer Review status

sc_req_item < task | Requested Item
cat_item reference(sc_cat_item) Item
request reference(sc_request) Request
requested_for reference(sys_user) Requested for
stage workflow Stage
quantity integer Quantity
price currency Price
recurring_price currency Recurring Price
backordered boolean Backordered
billable boolean Billable
estimated_delivery glide_date_time Estimated delivery
configuration_item reference(cmdb_ci) Configuration item

sc_request < task | Request
request_state string(40) Request state
requested_for reference(sys_user) Requested for
requested_date glide_date_time Requested for date
price currency Price
stage workflow Stage
special_instructions string(4000) Special instructions

sc_cat_item | Catalog Item
name string(100) Name!
short_description string(200) Short description
active boolean Active

contract_sla | SLA Definition
name string(100) Name!
type string(40) Type
target string(40) Target
collection table_name Table
duration glide_duration Duration
schedule string(32) Schedule
start_condition conditions Start condition
stop_condition conditions Stop condition
pause_condition conditions Pause condition
cancel_condition conditions Cancel condition
active boolean Active

task_sla | Task SLA
task reference(task) Task
sla reference(contract_sla) SLA definition!
stage string(40) Stage
active boolean Active
has_breached boolean Has breached
start_time glide_date_time Start time
end_time glide_date_time Stop time
planned_end_time glide_date_time Breach time
original_breach_time glide_date_time Original breach time
duration glide_duration Actual elapsed time
pause_duration glide_duration Pause duration
pause_time glide_date_time Pause time
time_left glide_duration Actual time left
percentage float Actual elapsed percentage
business_duration glide_duration Business elapsed time
business_pause_duration glide_duration Business pause duration
business_time_left glide_duration Business time left
business_percentage float Business elapsed percentage
schedule string(32) Schedule
timezone string(40) Timezone

metric_definition | Metric Definition
name string(80) Name!
table table_name Table
field string(80) Field
type string(40) Type
description string(1000) Description
active boolean Active

metric_instance | Metric
definition reference(metric_definition) Definition!
id document_id ID
table table_name Table
field string(80) Field
field_value string(255) Field value
value string(255) Value
start glide_date_time Start
end glide_date_time End
duration glide_duration Duration
business_duration glide_duration Business duration
calculation_complete boolean Calculation complete
"""

SURVEYS = """
asmt_metric_type | Survey Definition
name string(100) Name!
evaluation_method string(40) Evaluation method
publish_state string(40) State
active boolean Active
description string(1000) Description
assessment_duration glide_duration Assessment duration
introduction html Introduction
roles string(255) Roles

asmt_metric_category | Category
name string(100) Name!
metric_type reference(asmt_metric_type) Type
weight float Weight

asmt_metric | Metric
name string(100) Name!
question string(1000) Question
datatype string(40) Data type
category reference(asmt_metric_category) Category
metric_type reference(asmt_metric_type) Type
method string(40) Method
scale string(40) Scale
min integer Min
max integer Max
order integer Order
mandatory boolean Mandatory
weight float Weight
active boolean Active

asmt_metric_definition | Metric Definition
metric reference(asmt_metric) Metric
display string(100) Display!
value integer Value
order integer Order

asmt_assessment_instance | Assessment Instance
number string(40) Number!
metric_type reference(asmt_metric_type) Type
user reference(sys_user) Assigned to
state string(40) State
taken_on glide_date_time Taken on
due_date glide_date Due date
expiration_date glide_date Expiration date
percent_answered integer Percent answered
trigger_table table_name Trigger table
trigger_id document_id Trigger ID
trigger_condition conditions Trigger condition
task_id reference(task) Task
assessment_group string(32) Assessment group

asmt_assessment_instance_question | Assessment Instance Question
instance reference(asmt_assessment_instance) Instance
metric reference(asmt_metric) Metric
category reference(asmt_metric_category) Category
value string(40) Value
string_value string(4000) String value
source_table table_name Source table
source_id document_id Source

asmt_metric_result | Metric Result
metric reference(asmt_metric) Metric!
instance reference(asmt_assessment_instance) Instance
instance_question reference(asmt_assessment_instance_question) Instance question
assessment_group string(32) Assessment group
user reference(sys_user) User
source_table table_name Source table
source_id document_id Source
actual_value float Actual value
normalized_value float Normalized value
scaled_value float Scaled value
weighted_value float Weighted value
string_value string(4000) String value
duration_value glide_duration Duration value
"""
