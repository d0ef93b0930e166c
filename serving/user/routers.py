"""Routers of the account service."""

from serving.user import deletion_router, email_router, export_router, logins_router, password_router, router

ROUTERS = (
    router.router,
    logins_router.router,
    password_router.router,
    email_router.router,
    export_router.router,
    deletion_router.router,
)
