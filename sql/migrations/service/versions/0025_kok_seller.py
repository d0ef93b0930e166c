"""Create kok_seller"""

import sqlalchemy as sa
from alembic import op

from sql.service.base import MARIADB

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "kok_seller",
        sa.Column("kok_product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seller_name", sa.Text(), nullable=True, comment="판매자"),
        sa.Column("ceo_name", sa.Text(), nullable=True, comment="대표자"),
        sa.Column("registration_number", sa.Text(), nullable=True, comment="사업자등록번호"),
        sa.Column("ecommerce_registration", sa.Text(), nullable=True, comment="통신판매업신고"),
        sa.Column("phone", sa.Text(), nullable=True, comment="연락처"),
        sa.Column("verified_item", sa.Text(), nullable=True, comment="인증항목"),
        sa.Column("verified_on", sa.Text(), nullable=True, comment="인증일"),
        sa.Column("address", sa.Text(), nullable=True, comment="사업장 소재지"),
        sa.Column("return_address", sa.Text(), nullable=True, comment="반품지"),
        sa.Column("exchange_address", sa.Text(), nullable=True, comment="교환지"),
        sa.PrimaryKeyConstraint("kok_product_id", name=op.f("pk_kok_seller")),
        comment="Sellers as the product's newest page words them",
        if_not_exists=True,
        **MARIADB,
    )
