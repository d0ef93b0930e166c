"""Routers of the account service."""

from serving.user import deletion_router, logins_router, password_router, router

ROUTERS = (router.router, logins_router.router, password_router.router, deletion_router.router)
