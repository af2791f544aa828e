"""Columns of the platform's own tables: dictionary, forms, people, groups, configuration items."""

PLATFORM = """
sys_db_object | Tables
name string(80) Name!
label string(80) Label
super_class reference(sys_db_object) Extends table
is_extendable boolean Extensible
create_access_controls boolean Create access controls

sys_dictionary | Dictionary Entry
name string(80) Table
element string(80) Column name!
column_label string(80) Column label
internal_type string(40) Type
reference string(80) Reference
max_length integer Max length
default_value string(255) Default value
choice integer Choice
display boolean Display
mandatory boolean Mandatory
read_only boolean Read only
unique boolean Unique
active boolean Active
attributes string(1000) Attributes
comments string(1000) Comments

sys_documentation | Field Label
name string(80) Table
element string(80) Element
language string(3) Language
label string(80) Label!
plural string(80) Plural
hint string(1000) Hint
help string(4000) Help

sys_choice | Choice
name string(80) Table
element string(80) Element
value string(100) Value
label string(100) Label!
language string(3) Language
sequence integer Sequence
inactive boolean Inactive
dependent_value string(40) Dependent value
hint string(255) Hint

sys_ui_section | Form Section
name string(80) Table
caption string(100) Caption!
title boolean Title
header boolean Header
view string(80) View
view_name string(80) View name

sys_ui_element | Form Element
sys_ui_section reference(sys_ui_section) Section
element string(80) Element!
position integer Position
type string(40) Type
sys_ui_formatter string(80) Formatter

sys_ui_form | Form
name string(80) Table!
view string(80) View

sys_ui_form_section | Form Section of a Form
sys_ui_form reference(sys_ui_form) Form
sys_ui_section reference(sys_ui_section) Section
position integer Position

sys_ui_related_list | Related List
name string(80) Table!
view string(80) View

sys_ui_related_list_entry | Related List Entry
list_id reference(sys_ui_related_list) List
related_list string(160) Related list!
position integer Position
filter string(1000) Filter
order_by string(80) Order by

sys_scope | Application
name string(100) Name!
scope string(18) Scope

sys_user_role | Role
name string(100) Name!
description string(1000) Description

sys_security_acl | Access Control
name string(255) Name!
operation string(40) Operation
type string(40) Type
active boolean Active
admin_overrides boolean Admin overrides
advanced boolean Advanced
condition string(1000) Condition
script string(4000) Script
description string(1000) Description

sys_security_acl_role | Access Roles
sys_security_acl reference(sys_security_acl) Access Control
sys_user_role reference(sys_user_role) Role

sys_journal_field | Journal Entry
name string(80) Table
element string(80) Element
element_id string(32) Element ID
value string(4000) Value

sys_audit_delete | Audit Deleted Record
tablename string(80) Table name
documentkey string(32) Document key
display_value string(255) Display value!
payload string(65000) Payload

sys_user | User
user_name string(40) User ID
name string(151) Name!
first_name string(50) First name
last_name string(50) Last name
email string(100) Email
active boolean Active
department reference(cmn_department) Department
manager reference(sys_user) Manager
title string(60) Title
company reference(core_company) Company
location reference(cmn_location) Location
cost_center string(32) Cost center
employee_number string(40) Employee number
vip boolean VIP
time_zone string(40) Time zone
locked_out boolean Locked out
web_service_access_only boolean Web service access only
internal_integration_user boolean Internal Integration User
sys_class_name sys_class_name Class

core_company | Company
name string(80) Name!
vendor boolean Vendor

cmn_location | Location
name string(100) Name!
city string(40) City

sys_user_group | Group
name string(80) Name!
manager reference(sys_user) Manager
parent reference(sys_user_group) Parent
type string(1024) Type
email string(100) Group email
active boolean Active
default_assignee reference(sys_user) Default assignee
cost_center string(32) Cost center
description string(1000) Description
source string(255) Source
roles string(40) Roles

sys_user_grmember | Group Member
user reference(sys_user) User
group reference(sys_user_group) Group

cmn_department | Department
name string(100) Name!
id string(40) ID
dept_head reference(sys_user) Department head
parent reference(cmn_department) Parent
primary_contact reference(sys_user) Primary contact
company reference(core_company) Company
cost_center string(32) Cost center
business_unit string(32) Business unit
description string(1000) Description

cmdb_ci | Configuration Item
name string(255) Name!
short_description string(1000) Description
category string(40) Category
subcategory string(40) Subcategory
cost currency Cost
vendor reference(core_company) Vendor
company reference(core_company) Company
owned_by reference(sys_user) Owned by
managed_by reference(sys_user) Managed by
support_group reference(sys_user_group) Support group
operational_status integer Operational status
install_status integer Status
sys_class_name sys_class_name Class
sys_class_path string(255) Sys Class Path

cmdb_ci_service < cmdb_ci | Service
business_unit string(32) Business Unit
service_classification string(40) Service classification
service_level_requirement string(4000) Service level requirement
busines_criticality string(40) Business criticality
sla reference(contract_sla) SLA

service_offering < cmdb_ci_service | Service Offering
parent reference(cmdb_ci_service) Parent
"""
