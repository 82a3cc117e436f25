from flask_wtf import FlaskForm
from wtforms import IntegerField, StringField, SubmitField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from .basket import MOST_COPIES


class AddForm(FlaskForm):
    quantity = IntegerField(default=1, validators=[InputRequired(), NumberRange(1, MOST_COPIES)])


class QuantityForm(FlaskForm):
    quantity = IntegerField(validators=[InputRequired(), NumberRange(0, MOST_COPIES)])


class CheckoutForm(FlaskForm):
    recipient = StringField("Name", validators=[DataRequired(), Length(max=100)])
    street = StringField("Street and number", validators=[DataRequired(), Length(max=120)])
    city = StringField("Postcode and city", validators=[DataRequired(), Length(max=100)])
    submit = SubmitField("Order and pay")
