"""Columns of the tables demands live in."""

DEMANDS = """
pm_portfolio | Portfolio
name string(100) Name!
active boolean Active

dmn_demand < task | Demand
portfolio reference(pm_portfolio) Portfolio
category string(40) Category
type string(40) Type
stage string(40) Stage
requested_by reference(sys_user) Requested by
demand_manager reference(sys_user) Demand manager
business_case string(4000) Business case
goal string(4000) Goal
start_date glide_date_time Start date
expected_risk integer Expected risk
impacted_business_units glide_list(cmn_department) Impacted business units
"""
