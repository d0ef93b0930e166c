"""The television channels: fixed facts, seeded by a migration."""

from typing import NamedTuple


class ChannelSeed(NamedTuple):
    """One row of the table ``channel``."""

    channel_id: int
    channel_name: str
    channel_number: int
    source: str | None = None
    stream_url: str | None = None


CHANNELS = (
    ChannelSeed(
        1, "홈앤쇼핑", 4, "hnsmall", "https://s32.qtcdn.co.kr/media/liveM3U8/idx/669128309/enc/129701903/playlist.m3u8"
    ),
    ChannelSeed(2, "현대홈쇼핑", 12, "hmall", "https://cdnlive.hmall.com/live/hmall.stream/chunklist.m3u8"),
    ChannelSeed(
        3, "현대홈쇼핑+샵", 34, "hmall", "https://dtvstreaming.hyundaihmall.com/newcjp3/cjpstream_1M/chunklist.m3u8"
    ),
    ChannelSeed(4, "NS홈쇼핑", 13, "nsmall", "https://livestream.nsmall.com/IPHONE/nsmallMobile.m3u8"),
    ChannelSeed(5, "NS샵+", 41, "nsmall", "https://shoppstream.nsmall.com/IPHONE/mobile.m3u8"),
    ChannelSeed(6, "공영쇼핑", 20),
    ChannelSeed(7, "GS샵 LIVE", 6),
    ChannelSeed(8, "GS마이샵", 30),
    ChannelSeed(9, "CJ온스타일", 8),
    ChannelSeed(10, "CJ온스타일플러스", 32),
    ChannelSeed(11, "롯데홈쇼핑", 10),
    ChannelSeed(12, "롯데 OneTV", 36),
    ChannelSeed(13, "KT 알파쇼핑", 2),
    ChannelSeed(14, "SK 스토어", 17),
    ChannelSeed(15, "신세계쇼핑", 21),
    ChannelSeed(16, "W쇼핑", 28),
    ChannelSeed(17, "쇼핑엔터", 37),
)
