"""Columns of the tables knowledge and talks live in: articles, what readers say, interactions."""

KNOWLEDGE = """
kb_knowledge_base | Knowledge Base
title string(100) Title!
active boolean Active

kb_knowledge | Knowledge
number string(40) Number!
short_description string(100) Short description
text html Article body
workflow_state string(40) Workflow
kb_knowledge_base reference(kb_knowledge_base) Knowledge base
cmdb_ci reference(cmdb_ci) Configuration item
author reference(sys_user) Author
published glide_date Published
valid_to glide_date Valid to
sys_view_count integer View count
use_count integer Use count
rating float Rating
article_id string(40) Article ID
active boolean Active

kb_feedback | Knowledge Feedback
article reference(kb_knowledge) Article
user reference(sys_user) User
rating integer Rating
useful string(40) Useful
comments string(4000) Comments
flagged boolean Flagged

interaction | Interaction
number string(40) Number!
channel string(40) Channel
type string(40) Type
direction string(40) Direction
state string(40) State
short_description string(160) Short description
opened_for reference(sys_user) Opened for
opened_at glide_date_time Opened
closed_at glide_date_time Closed
assigned_to reference(sys_user) Assigned to
assignment_group reference(sys_user_group) Assignment group
transferred boolean Transferred

interaction_related_record | Interaction Related Record
interaction reference(interaction) Interaction
document_table table_name Document table
document_id document_id Document
task reference(task) Task
"""
