"""Bodies that several services have."""

from pydantic import BaseModel, Field

from serving.web.parameters import Keyword


class SearchKeyword(BaseModel):
    """A keyword to remember."""

    keyword: Keyword


class Message(BaseModel):
    """That it was done."""

    message: str = Field(examples=["검색어가 삭제되었습니다."])
