"""Bodies that several services share."""

from pydantic import BaseModel, Field

from serving.web.parameters import Keyword


class SearchKeyword(BaseModel):
    """A keyword to save."""

    keyword: Keyword


class Message(BaseModel):
    """Confirmation."""

    message: str = Field(examples=["검색어가 삭제되었습니다."])
