"""The made-up agency Meridian: people, services, tickets, answers and planted stories."""
